"""FreshBooks, where invoices live. Its word for a buyer is *client*, as everywhere in Billhook."""
