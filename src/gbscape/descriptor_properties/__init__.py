"""Which properties a description of boundaries has, measured (Homer et al. 2019, Table 2)."""
