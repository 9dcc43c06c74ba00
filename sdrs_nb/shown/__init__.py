"""What every face shows the same way: words, titles, tones, HTML, and the writing of text and files."""
