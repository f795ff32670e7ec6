"""Memory: the tables and their few queries. The only part that knows SQLAlchemy."""
