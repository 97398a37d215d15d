"""Run collectors, collect their events and publish snapshots."""
