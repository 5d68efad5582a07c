"""Coupons: what takes something off a price or adds credits, and who has used which."""
