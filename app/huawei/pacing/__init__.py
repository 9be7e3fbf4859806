"""When a call is sent and sent again: deadlines, queues, retries and circuits."""
