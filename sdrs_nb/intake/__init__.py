"""The door for files: bounded and typed before anything is made of them; ``limits`` holds every bound."""
