"""What the keeper itself says about families, in the reader's language: the portal never learns these names."""

ACTED = {
    "sq": {
        "me": "Këtë e bëri $actor, që mund të veprojë për ju.",
        "other": "Këtë e bëri $actor, që mund të veprojë për: $person.",
        "itself": "Këtë e bëri vetë $actor.",
        "unknown": "Këtë e bëri dikush tjetër që mund të vepronte për: $person.",
        "rule": "Rregulli i këtij shërbimi: $rule",
    },
    "en": {
        "me": "$actor, who may act for you, did this.",
        "other": "$actor, who may act for $person, did this.",
        "itself": "$actor did this in person.",
        "unknown": "Somebody else who could act for $person did this.",
        "rule": "The rule of this service: $rule",
    },
}
