"""What fans want: words, needs, questions and mood of comments, by rules that everybody can read and edit (``needs/``)."""
