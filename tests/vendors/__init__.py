"""The vendors' clients, over the sandbox and recorded cases."""
