"""What the codes of MedMNIST's two-dimensional datasets mean, in their order.

Yang, Shi, Wei, Liu, Zhao, Ke, Pfister and Ni, MedMNIST v2, Scientific Data 2023.
"""

from __future__ import annotations

__all__ = ["CLASSES", "FINDINGS"]

_ORGANS = (
    *("bladder", "femur-left", "femur-right", "heart", "kidney-left", "kidney-right"),
    *("liver", "lung-left", "lung-right", "pancreas", "spleen"),
)

CLASSES: dict[str, tuple[str, ...]] = {
    "bloodmnist": (
        *("basophil", "eosinophil", "erythroblast", "immature granulocyte"),
        *("lymphocyte", "monocyte", "neutrophil", "platelet"),
    ),
    "breastmnist": ("malignant", "normal or benign"),
    "dermamnist": (
        *("actinic keratosis", "basal cell carcinoma", "benign keratosis"),
        *("dermatofibroma", "melanoma", "melanocytic nevus", "vascular lesion"),
    ),
    "octmnist": ("choroidal neovascularization", "diabetic macular edema", "drusen", "normal"),
    "organamnist": _ORGANS,
    "organcmnist": _ORGANS,
    "organsmnist": _ORGANS,
    "pathmnist": (
        *("adipose", "background", "debris", "lymphocytes", "mucus", "smooth muscle"),
        *("normal colon mucosa", "cancer-associated stroma", "adenocarcinoma epithelium"),
    ),
    "pneumoniamnist": ("normal", "pneumonia"),
    "retinamnist": ("grade 0", "grade 1", "grade 2", "grade 3", "grade 4"),
    "tissuemnist": (
        *("collecting duct", "distal convoluted tubule", "glomerular endothelial cell"),
        *("interstitial endothelial cell", "leukocyte", "podocyte", "proximal tubule"),
        "thick ascending limb",
    ),
}

# An image of chestmnist has any number of these.
FINDINGS = (
    *("atelectasis", "cardiomegaly", "effusion", "infiltration", "mass", "nodule", "pneumonia"),
    *("pneumothorax", "consolidation", "edema", "emphysema", "fibrosis", "pleural", "hernia"),
)
