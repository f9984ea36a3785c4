"""Will it run, how fast: pure over Architecture, Header and Machine."""
