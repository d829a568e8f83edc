"""Entry point of ``python -m localcluster``."""

from localcluster.commands import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
