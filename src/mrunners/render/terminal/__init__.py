"""What a terminal shows: tables of a report and of a run's status, drawn with rich."""
