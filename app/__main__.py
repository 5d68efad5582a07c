"""`python -m app` is the command line."""

import gc

if __name__ == "__main__":
    # Nothing that start-up makes is garbage, and looking for some time and again takes a seventh of it.
    gc.disable()
    from app.cli import main

    gc.enable()
    main()
