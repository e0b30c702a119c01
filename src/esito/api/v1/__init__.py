"""The endpoints of version 1, spelled as the contract has them; the key is the parameter `apiKey`."""
