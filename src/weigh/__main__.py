"""`python -m weigh` is `weigh`."""

from weigh.cli.main import main

if __name__ == "__main__":
    main()
