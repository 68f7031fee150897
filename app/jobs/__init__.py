"""What happens later: the only place where a row meets a neighbour."""
