"""`python -m offboard`."""

from offboard.cli import main

main()
