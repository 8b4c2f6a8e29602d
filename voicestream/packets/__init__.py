"""Sound that travels as packets: their form, their order, their delay, and what is made of them."""
