"""DynamoDB requests sent to kstone and to other local engines, and their answers compared field by field."""
