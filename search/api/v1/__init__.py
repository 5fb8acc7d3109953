"""Which of Civitai's clients can read this library? Its public REST API v1 over the local catalog."""
