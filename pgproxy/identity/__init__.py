"""Who asks: hba rules applied, secrets checked, guesses slowed down; for the wire and for HTTP alike."""
