"""Measurements, each side by side with a floor in one run. `./dev bench` lists and runs them."""
