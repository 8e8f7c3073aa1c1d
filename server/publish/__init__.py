"""What edges are told: rules, state, orders."""
