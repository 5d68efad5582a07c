"""What happens to payments, cards, receipts and refunds: the rules behind both the API and the pages."""
