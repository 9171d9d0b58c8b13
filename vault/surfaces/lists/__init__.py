"""The lists of the service, once for pages, the API and files: what they ask, and how their lines become a table."""
