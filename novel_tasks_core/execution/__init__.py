"""Running attempts: in this process or in children that can be killed, and what they end with."""
