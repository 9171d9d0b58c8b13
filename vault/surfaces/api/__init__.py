"""The HTTP interface for programs, under /api/v1: JSON in and out, problem documents for refusals."""
