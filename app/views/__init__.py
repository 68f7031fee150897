"""The pages and their answers: one module per resource."""
