"""Turn AWS's answers into the domain's facts."""
