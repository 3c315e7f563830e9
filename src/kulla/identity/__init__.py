"""The pages of a person: sign-in, my page, receipts, who looked at my data; and the pages that explain Kulla."""
