"""Price invocations, requests and API calls, in USD."""
