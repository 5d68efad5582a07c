"""The dossier: what staff find out about a customer, read from every domain at once. It changes nothing."""
