"""Write and read recordings of events: the labelled scenes of the tests now, `replay` and `cut` later."""
