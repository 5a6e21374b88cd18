"""Other queues, installed and run beside ours: their environments, their programs, and what is measured of them."""
