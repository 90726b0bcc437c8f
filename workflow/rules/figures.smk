# Pictures and tables of the report: a data step and a plot step each.
