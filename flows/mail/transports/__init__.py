"""The transports that can send a message: outbox folder, SMTP, Amazon SES."""
