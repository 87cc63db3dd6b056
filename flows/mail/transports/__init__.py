"""The ways a message can leave: outbox folder, SMTP, Amazon SES."""
