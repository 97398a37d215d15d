"""Read log events: tails, history, Live Tail, Insights, export."""
