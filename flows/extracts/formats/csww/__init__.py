"""The children's social work workforce return (CSWW XML): read, checked and taken in."""
