"""Everything a person may choose: settings, alert rules, addresses of published files, the run's form."""
