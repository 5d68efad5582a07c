"""Payment providers behind one port: one package or file per vendor, reached only through `registry`."""
