"""Compute rates, ages, forecasts and evidence from the World."""
