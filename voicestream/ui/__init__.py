"""What a person sees: a picture of a snapshot."""
