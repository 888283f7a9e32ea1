"""`python -m infra.cli`: the program without its installed name."""

from infra.cli.main import main

if __name__ == "__main__":
    main()
