"""What the dashboard page shows: fixed questions, and their answers as charts take them."""
