"""`make hostile`: what a well-behaved account notices of a big one and of strangers that do their worst."""
