"""What an app may request: coverage of the contract, what is lacking, what follows from it, and the way out."""
