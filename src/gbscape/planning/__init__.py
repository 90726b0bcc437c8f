"""What a run costs: units of work, measured rates, jobs, and how far a run has come."""
