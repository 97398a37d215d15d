"""Mend and extend the embedded emulator, one AWS area each."""
