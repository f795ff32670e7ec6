"""Stories: one a file; the top function of each reads like the sentence in the README."""
