"""Core and flows speak English and know no languages; a page may speak more. ``N_`` marks a
sentence, a template of one or not, that a page translates where it shows it, so that the catalogues
have it (``.ci/translations``)."""

N_ = str
