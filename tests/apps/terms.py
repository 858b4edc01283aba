"""Terms of the configurations that the tests of kills and files use."""

TWO_BODY = """[[term]]
descriptor = "two_body"
cutoff = 4.5
kernel = "squared_exponential"
length_scale = 1.0
delta = 2.0
n_sparse = 10
selection = "uniform"
"""
