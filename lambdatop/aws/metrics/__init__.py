"""Ask CloudWatch for the metrics that the polling plan names."""
