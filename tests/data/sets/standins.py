"""Tiny stand-ins of the public sets: the real headers and layouts, and pictures from which the labels can be learnt.

    standin = MAKERS["NIH ChestX-ray14"](tmp_path / "nih", rounds=2)
    standin.rows        # what a reader must make of it, one Truth an image that is kept
    standin.left_out    # rule -> how many images it leaves out

A finding draws a bright square at a place of its own. ``rounds`` repeats the set's pattern with other patients.
"""

import gzip
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.images.files import radiograph

NAN = float("nan")
SIDE, CELL = 72, 12


@dataclass(frozen=True)
class Truth:
    """An image as it must be read. ``labels``: the class, or the findings that are not ``Standin.otherwise``."""

    file: str
    labels: str | dict[str, float]
    patient: str = ""
    age: float = NAN
    sex: str = ""
    view: str = ""
    source: str = ""
    split: str = ""


@dataclass
class Standin:
    """``otherwise``: the value of a finding that a row does not name."""

    root: Path
    names: tuple[str, ...]
    rows: list[Truth] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    otherwise: float = 0.0
    drawn: int = 0

    def picture(self, findings: Collection[str]) -> np.ndarray:
        """Noise, a bright middle, and a square for each finding; uint8."""
        self.drawn += 1
        values = np.random.default_rng(self.drawn).integers(40, 90, (SIDE, SIDE))
        values[SIDE // 4 : 3 * SIDE // 4, 3 * SIDE // 8 : 5 * SIDE // 8] += 40
        across = SIDE // CELL
        for finding in findings:
            row, column = divmod(self.names.index(finding) % across**2, across)
            values[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL] = 240
        return values.astype(np.uint8)

    def draw(self, file: str, findings: Collection[str] = (), **tags: Any) -> None:
        """Write the picture of an image; with the ending of DICOM as one with these tags."""
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        values = self.picture(findings)
        if path.suffix in (".dcm", ".dicom"):
            path.write_bytes(radiograph(values, bits=8, **tags))
            return
        buffer = BytesIO()
        Image.fromarray(values).save(buffer, "JPEG" if path.suffix in (".jpg", ".jpeg") else "PNG")
        path.write_bytes(buffer.getvalue())

    def table(self, name: str, header: str, rows: Sequence[str], packed: bool = False) -> Path:
        """Write a table; ``packed``: with gzip."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = "".join(f"{line}\n" for line in ([header] if header else []) + list(rows)).encode()
        path.write_bytes(gzip.compress(content) if packed else content)
        return path


def rewrite(path: Path, text: str, encoding: str = "utf-8") -> None:
    """Write a table anew, packed where its name says so."""
    content = text.encode(encoding)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def positive(labels: dict[str, float]) -> list[str]:
    return [name for name, value in labels.items() if value == 1]


NIH_HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]"
)
NIH_NAMES = (
    *("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Effusion", "Emphysema", "Fibrosis", "Hernia"),
    *("Infiltration", "Mass", "Nodule", "Pleural_Thickening", "Pneumonia", "Pneumothorax", "No Finding"),
)


def nih(root: Path, rounds: int = 1) -> Standin:
    made = Standin(root, NIH_NAMES)
    pattern = ["Cardiomegaly", "Mass|Nodule", "No Finding", "Pleural_Thickening|Effusion", "No Finding", "Mass"]
    lines: list[str] = []
    lists: dict[str, list[str]] = {"train": [], "test": []}
    for n in range(len(pattern) * rounds):
        labels, patient = pattern[n % len(pattern)], n // 2 + 1
        name = f"{patient:08}_{n % 2:03}.png"
        file = f"images_{n % 2 + 1:03}/images/{name}"
        sex, view, split = "MF"[patient % 2], ("PA", "AP")[n % 2], "test" if patient % 3 == 0 else "train"
        age = "411" if n == 0 else f"{40 + n:03}Y" if n == 1 else str(40 + n)
        lines.append(f"{name},{labels},{n % 2},{patient},{age},{sex},{view},2682,2749,0.143,0.143")
        lists[split].append(name)
        found = labels.split("|")
        made.draw(file, [finding for finding in found if finding != "No Finding"])
        years = NAN if n == 0 else 40.0 + n
        made.rows.append(Truth(file, dict.fromkeys(found, 1.0), str(patient), years, sex, view, "", split))
    lines.append("00009999_000.png,Hernia,0,9999,50,M,PA,2682,2749,0.143,0.143")
    made.left_out = {"missing": 1}
    made.table("Data_Entry_2017_v2020.csv", NIH_HEADER, lines)
    made.table("train_val_list.txt", "", lists["train"])
    made.table("test_list.txt", "", lists["test"])
    boxes = ["00000001_000.png,Cardiomegaly,225.08,547.01,86.7,79.1,,,", "00000004_001.png,Infiltrate,1,2,3,4,,,"]
    made.table("BBox_List_2017.csv", "Image Index,Finding Label,Bbox [x,y,w,h],,,", boxes)
    return made


def nih_2019(root: Path, rounds: int = 1) -> Standin:
    names = ("Fracture", "Pneumothorax", "Airspace opacity", "Nodule or mass")
    made = Standin(root, names)
    lines = []
    for n in range(6 * rounds):
        labels = {name: float((n >> k) & 1) for k, name in enumerate(names)}
        name, split = f"{n:08}_000.png", ("val", "test")[n % 2]
        answers = ",".join("YES" if value else "NO" for value in labels.values())
        lines.append(f"{name},No Finding,0,{n},{30 + n},F,AP,3056,2544,0.139,0.139,{answers},{split}")
        made.draw(f"images/{name}", positive(labels))
        made.rows.append(Truth(f"images/{name}", labels, str(n), 30.0 + n, "F", "AP", "", split))
    made.left_out = {"missing": 0}
    made.table("four_findings.csv", f"{NIH_HEADER},{','.join(names)},Set Id", lines)
    return made


CHEXPERT_NAMES = (
    *("No Finding", "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion", "Edema"),
    *("Consolidation", "Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion", "Pleural Other", "Fracture"),
    "Support Devices",
)
CHEXPERT_PATTERN: tuple[dict[str, float], ...] = (
    {"No Finding": 1, "Support Devices": 1},
    {"Cardiomegaly": 1, "Edema": -1, "Pneumothorax": 0},
    {"Pleural Effusion": 1, "Lung Opacity": 1, "Pneumonia": -1},
    {"No Finding": 1},
    {"Cardiomegaly": 0, "Pneumothorax": 1},
    {"Pleural Effusion": 1, "Cardiomegaly": 1},
)


def cells(labels: dict[str, float], names: Sequence[str]) -> str:
    return ",".join(f"{labels[name]:.1f}" if name in labels else "" for name in names)


def chexpert(root: Path, rounds: int = 1) -> Standin:
    made = Standin(root, CHEXPERT_NAMES, otherwise=NAN)
    header = f"Path,Sex,Age,Frontal/Lateral,AP/PA,{','.join(CHEXPERT_NAMES)}"
    lines: dict[str, list[str]] = {"train": [], "valid": []}
    for n in range(len(CHEXPERT_PATTERN) * rounds):
        labels, folder = CHEXPERT_PATTERN[n % len(CHEXPERT_PATTERN)], "valid" if n % 3 == 2 else "train"
        # Every name occurs in every study: the folders tell which patient it is.
        below = f"{folder}/patient{n + 1:05}/study1"
        view, age, sex = ("AP", "PA")[n % 2], 0 if n == 0 else 50 + n, ("Female", "Male", "Unknown")[n % 3]
        where = f"CheXpert-v1.0-small/{below}"
        about = f"{sex},{age}"
        lines[folder].append(f"{where}/view1_frontal.jpg,{about},Frontal,{view},{cells(labels, CHEXPERT_NAMES)}")
        lines[folder].append(f"{where}/view2_lateral.jpg,{about},Lateral,,{cells(labels, CHEXPERT_NAMES)}")
        made.draw(f"{below}/view1_frontal.jpg", positive(labels))
        made.draw(f"{below}/view2_lateral.jpg")
        years, short = (float(age) if age else NAN), {"Female": "F", "Male": "M"}.get(sex, "")
        split = {"train": "train", "valid": "val"}[folder]
        made.rows.append(
            Truth(f"{below}/view1_frontal.jpg", labels, f"patient{n + 1:05}", years, short, view, "", split)
        )
    # A patient whose image is missing: it must not be taken for another's of the same name.
    lines["train"].append(
        f"CheXpert-v1.0-small/train/patient09999/study1/view1_frontal.jpg,Male,60,Frontal,AP{',' * 14}"
    )
    made.left_out = {"views": len(made.rows), "missing": 1}
    made.table("train.csv", header, lines["train"])
    made.table("valid.csv", header, lines["valid"])
    return made


def chexpert_plus(root: Path, rounds: int = 1) -> Standin:
    made = Standin(root, CHEXPERT_NAMES, otherwise=NAN)
    header = (
        "path_to_image,path_to_dcm,frontal_lateral,ap_pa,deid_patient_id,patient_report_date_order,report,"
        "section_findings,age,sex,race,split"
    )
    lines, told = [], []
    for n in range(len(CHEXPERT_PATTERN) * rounds):
        labels = CHEXPERT_PATTERN[n % len(CHEXPERT_PATTERN)]
        path, split = f"train/patient{n:05}/study1/view1_frontal.jpg", "valid" if n % 3 == 2 else "train"
        lines.append(
            f'{path},x.dcm,Frontal,AP,patient{n:05},1,"Report, of\ntwo lines.",,{40 + n}.0,Female,Asian,{split}'
        )
        told.append(json.dumps({"path_to_image": path, **{name: labels.get(name) for name in CHEXPERT_NAMES}}))
        made.draw(f"PNG/{Path(path).with_suffix('.png')}", positive(labels))
        made.rows.append(
            Truth(
                f"PNG/{Path(path).with_suffix('.png')}",
                labels,
                f"patient{n:05}",
                40.0 + n,
                "F",
                "AP",
                "",
                {"valid": "val"}.get(split, split),
            )
        )
    lines.append("train/patient99999/study1/view1_frontal.jpg,x.dcm,Frontal,AP,patient99999,1,,,40,Male,Asian,train")
    made.left_out = {"no label": 1, "views": 0, "missing": 0}
    made.table("df_chexpert_plus_240401.csv", header, lines)
    made.table("chexbert_labels/report_fixed.json", "", told)
    made.table("chexbert_labels/impression_fixed.json", "", told[:1])
    return made


def mimic(root: Path, rounds: int = 1) -> Standin:
    names = tuple(sorted(CHEXPERT_NAMES))
    made = Standin(root, CHEXPERT_NAMES, otherwise=NAN)
    studies, metadata, splits = [], [], []
    for n in range(len(CHEXPERT_PATTERN) * rounds):
        labels, subject, study = CHEXPERT_PATTERN[n % len(CHEXPERT_PATTERN)], f"{10000032 + n}", f"{50414267 + n}"
        split = ("train", "validate", "test")[n % 3]
        studies.append(f"{subject},{study},{cells(labels, names)}")
        for view, suffix in (("PA", "a"), ("LATERAL", "b"), ("", "c")):
            name = f"{n:08x}-{suffix}"
            metadata.append(f"{name},{subject},{study},CHEST (PA AND LAT),{view},3056,2544,21800506,213014.5,a,b,Erect")
            splits.append(f"{name},{study},{subject},{split}")
            file = f"files/p10/p{subject}/s{study}/{name}.jpg"
            made.draw(file, positive(labels) if view != "LATERAL" else ())
            if view != "LATERAL":
                known = {"validate": "val"}.get(split, split)
                made.rows.append(Truth(file, labels, subject, NAN, "", view, "", known))
    made.left_out = {"no label": 0, "views": len(made.rows) // 2, "missing": 0}
    header = f"subject_id,study_id,{','.join(names)}"
    made.table("mimic-cxr-2.0.0-chexpert.csv.gz", header, studies, packed=True)
    made.table("mimic-cxr-2.0.0-negbio.csv.gz", header, studies[:1], packed=True)
    made.table(
        "mimic-cxr-2.0.0-metadata.csv.gz",
        "dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns,StudyDate,StudyTime,"
        "ProcedureCodeSequence_CodeMeaning,ViewCodeSequence_CodeMeaning,PatientOrientationCodeSequence_CodeMeaning",
        metadata,
        packed=True,
    )
    made.table("mimic-cxr-2.0.0-split.csv.gz", "dicom_id,study_id,subject_id,split", splits, packed=True)
    return made


PADCHEST_HEADER = (
    ",ImageID,ImageDir,StudyDate_DICOM,StudyID,PatientID,PatientBirth,PatientSex_DICOM,ViewPosition_DICOM,Projection,"
    "MethodProjection,Pediatric,Modality_DICOM,Manufacturer_DICOM,ReportID,Report,MethodLabel,Labels,Localizations,"
    "LabelsLocalizationsBySentence,labelCUIS,LocalizationsCUIS"
)


def padchest(root: Path, rounds: int = 1) -> Standin:
    made = Standin(root, ("pleural effusion", "pneumonia", "cardiomegaly", "normal"))
    pattern: list[tuple[str, str, str]] = [
        ("['pleural effusion', ' pneumonia']", "PA", ""),
        ("['normal']", "AP_horizontal", ""),
        ("['cardiomegaly', 'unchanged', '']", "AP", ""),
        ("['normal']", "PA", ""),
        ("['pneumonia']", "L", "views"),
        ("nan", "PA", "no label"),
        ("['suboptimal study', 'pneumonia']", "PA", "quality"),
        ("['unchanged']", "PA", "unchanged"),
        ("['pneumonia']", "COSTAL", "views"),
        ("['pleural effusion']", "PA", "missing"),
    ]
    words = {"PA": "PA", "AP": "AP", "AP_horizontal": "AP supine"}
    made.left_out = {"no label": 0, "quality": 0, "unchanged": 0, "views": 0, "missing": 0}
    lines = []
    for n in range(len(pattern) * rounds):
        text, projection, rule = pattern[n % len(pattern)]
        name, sex, birth = f"{n:039}_x.png", "nan" if n == 0 else "FM"[n % 2], "" if n == 3 else f"{1950 + n}.0"
        maker = "PhilipsMedicalSystems" if n % 2 else "None"
        lines.append(
            f"{n},{name},{n % 2},20150622,s{n},p{n},{birth},{sex},POSTEROANTERIOR,{projection},Manual,No,CR,{maker},"
            f"1,sin hallazg .,Physician,\"{text}\",[],\"[['normal']]\",['C1' 'C2'],[]"
        )
        if rule:
            made.left_out[rule] += 1
        found = [word for word in made.names if f"{word}'" in text]
        if rule != "missing":
            made.draw(f"{n % 2}/{name}", [word for word in found if word != "normal"])
        if not rule:
            made.rows.append(
                Truth(
                    f"{n % 2}/{name}",
                    dict.fromkeys(found, 1.0),
                    f"p{n}",
                    2015 - (1950 + n) if birth else NAN,
                    "" if n == 0 else sex,
                    words[projection],
                    maker if n % 2 else "",
                )
            )
    made.table("PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv.gz", PADCHEST_HEADER, lines, packed=True)
    return made


VINDR_NAMES = (
    *("Aortic enlargement", "Atelectasis", "Calcification", "Cardiomegaly", "Clavicle fracture", "Consolidation"),
    *("Edema", "Emphysema", "Enlarged PA", "ILD", "Infiltration", "Lung Opacity", "Lung cavity", "Lung cyst"),
    *("Mediastinal shift", "Nodule/Mass", "Pleural effusion", "Pleural thickening", "Pneumothorax"),
    *("Pulmonary fibrosis", "Rib fracture", "Other lesion", "COPD", "Lung tumor", "Pneumonia", "Tuberculosis"),
    *("Other diseases", "No finding"),
)


def vindr(root: Path, rounds: int = 1) -> Standin:
    """Of four images two readers of three agree on the first finding, one alone marks the second."""
    made = Standin(root, VINDR_NAMES)
    pattern = [("Cardiomegaly", "ILD"), ("No finding", ""), ("Other diseases", "Nodule/Mass"), ("Pleural effusion", "")]
    train, test = [], []
    for n in range(len(pattern) * rounds):
        (sure, doubted), name = pattern[n % len(pattern)], f"{n:032x}"
        for reader in range(3):
            marked = {sure} if reader else {doubted or sure}
            train.append(f"{name},R{reader},{','.join(str(int(finding in marked)) for finding in VINDR_NAMES)}")
        truth = {sure: 1.0}
        drawn = [] if sure == "No finding" else [sure]
        made.draw(f"train/{name}.dicom", drawn)
        made.rows.append(Truth(f"train/{name}.dicom", truth, view="PA", split="train"))
        other = f"{n + 1000:032x}"
        test.append(f"{other},{','.join(str(int(finding == sure)) for finding in VINDR_NAMES)}")
        made.draw(f"test/{other}.dicom", drawn)
        made.rows.append(Truth(f"test/{other}.dicom", truth, view="PA", split="test"))
    made.left_out = {"missing": 0}
    header = ",".join(VINDR_NAMES)
    made.table("annotations/image_labels_train.csv", f"image_id,rad_id,{header}", train)
    made.table(
        "annotations/image_labels_test.csv", f"image_id,{header.replace('Other diseases', 'Other disease')}", test
    )
    return made


def vinbigdata(root: Path, rounds: int = 1) -> Standin:
    absent = {"Clavicle fracture", "Edema", "Emphysema", "Enlarged PA", "Lung cavity", "Lung cyst", "Mediastinal shift"}
    absent |= {"Rib fracture", "COPD", "Lung tumor", "Pneumonia", "Tuberculosis", "Other diseases"}
    names = tuple(name for name in VINDR_NAMES if name not in absent)
    made = Standin(root, names)
    lines = []
    for n in range(4 * rounds):
        name = f"{n:032x}"
        if n % 4 == 3:
            lines += [f"{name},No finding,14,R{reader},,,," for reader in range(3)]
            sure = ["No finding"]
        else:
            sure = [("Cardiomegaly", "Pleural effusion", "ILD")[n % 4]]
            # Reader 1 draws two boxes of one finding; reader 2 marks another one alone.
            lines += [f"{name},{sure[0]},3,R0,10,20,30,60", f"{name},{sure[0]},3,R1,10,20,30,60"]
            lines += [f"{name},{sure[0]},3,R1,40,20,60,60", f"{name},Atelectasis,1,R2,5,5,9,9"]
        made.draw(f"train/{name}.png", [finding for finding in sure if finding != "No finding"])
        made.rows.append(Truth(f"train/{name}.png", dict.fromkeys(sure, 1.0), view="PA", split="train"))
    made.left_out = {"missing": 0}
    made.table("train.csv", "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max", lines)
    return made


def rsna(root: Path, rounds: int = 1) -> Standin:
    made = Standin(root, ("Lung Opacity",))
    boxes, classes = [], []
    for n in range(6 * rounds):
        name, sick = f"{n:08x}-c2b5", n % 3 == 0
        boxes += (
            [f"{name},264.0,152.0,213.0,379.0,1", f"{name},562.0,152.0,256.0,453.0,1"] if sick else [f"{name},,,,,0"]
        )
        word = ("Lung Opacity", "Normal", "No Lung Opacity / Not Normal")[n % 3]
        classes += [f"{name},{word}"] * (2 if sick else 1)
        # The ID of their headers is the name of the file, for each of them.
        tags = {"PatientID": name, "PatientAge": f"{30 + n:03}Y", "PatientSex": "F", "ViewPosition": "PA"}
        made.draw(f"stage_2_train_images/{name}.dcm", ["Lung Opacity"] if sick else [], **tags)
        truth = {"Lung Opacity": float(sick)}
        made.rows.append(Truth(f"stage_2_train_images/{name}.dcm", truth, split="train"))
    made.draw("stage_2_test_images/unlabelled.dcm")
    made.left_out = {"missing": 0}
    made.table("stage_2_train_labels.csv", "patientId,x,y,width,height,Target", boxes)
    made.table("stage_2_detailed_class_info.csv", "patientId,class", classes)
    return made


def covidx(root: Path, rounds: int = 1) -> Standin:
    made = Standin(root, ("pneumonia", "COVID-19"))
    for split in ("train", "test"):
        lines = []
        for n in range(rounds):
            tag = f"{split}{n}"
            for patient, name, label, source in (
                (f"COVID {tag}", f"COVID({tag}).png", "COVID-19", "sirm"),
                (f"r{tag}", f"r{tag}.png", "normal", ""),
                (f"s{tag}", f"s{tag}.png", "pneumonia", "rnsa"),
                (f"c{tag}", f"c{tag}.jpg", "COVID-19", "cohen"),
            ):
                lines.append(" ".join(part for part in (patient, name, label, source) if part))
                made.draw(f"{split}/{name}", [label] if label != "normal" else [])
                known = {"rnsa": "rsna"}.get(source, source)
                made.rows.append(Truth(f"{split}/{name}", label, patient, source=known, split=split))
        made.table(f"labels/{split}_COVIDx9A.txt", "", lines)
    made.left_out = {"missing": 0}
    return made


def covid_chestxray(root: Path, rounds: int = 1) -> Standin:
    made = Standin(root, ("Pneumonia", "Viral", "COVID-19", "Bacterial", "Streptococcus", "Tuberculosis", "No Finding"))
    pattern = [
        ("Pneumonia/Viral/COVID-19", "PA", "X-ray", ""),
        ("Pneumonia/Bacterial/Streptococcus", "AP Supine", "X-ray", ""),
        ("No Finding", "AP", "X-ray", ""),
        ("Tuberculosis", "PA", "X-ray", ""),
        ("todo", "PA", "X-ray", "no label"),
        ("Unknown", "AP", "X-ray", "no label"),
        ("Pneumonia/Viral/COVID-19", "Axial", "CT", "modality"),
        ("Pneumonia/Viral/COVID-19", "L", "X-ray", "views"),
    ]
    made.left_out = {"no label": 0, "modality": 0, "views": 0, "missing": 0}
    lines = []
    for n in range(len(pattern) * rounds):
        finding, view, modality, rule = pattern[n % len(pattern)]
        name, sex = f"case{n}.jpeg", "MF"[n % 2]
        middle = "," * 13
        lines.append(f"{n},3,{sex},{30 + n},{finding},Y{middle}{view},{modality},2020,Milan,images,{name},d,u,CC,a,b,")
        steps = finding.split("/")
        if rule:
            made.left_out[rule] += 1
            made.draw(f"images/{name}")
            continue
        made.draw(f"images/{name}", [step for step in steps if step != "No Finding"])
        known = {"AP Supine": "AP supine"}.get(view, view)
        made.rows.append(Truth(f"images/{name}", dict.fromkeys(steps, 1.0), str(n), 30.0 + n, sex, known, "Milan"))
    made.table(
        "metadata.csv",
        "patientid,offset,sex,age,finding,RT_PCR_positive,survival,intubated,intubation_present,went_icu,in_icu,"
        "needed_supplemental_O2,extubated,temperature,pO2_saturation,leukocyte_count,neutrophil_count,"
        "lymphocyte_count,view,modality,date,location,folder,filename,doi,url,license,clinical_notes,other_notes,",
        lines,
    )
    return made


def radiography(root: Path, rounds: int = 1) -> Standin:
    classes = ("COVID", "Lung_Opacity", "Normal", "Viral Pneumonia")
    made = Standin(root, classes)
    for label in classes:
        for n in range(2 * rounds):
            made.draw(f"{label}/images/{label}-{n}.png", [label])
            made.draw(f"{label}/masks/{label}-{n}.png")
            made.rows.append(Truth(f"{label}/images/{label}-{n}.png", label))
    made.left_out = {"masks": len(made.rows)}
    return made


def bimcv(root: Path, rounds: int = 1) -> Standin:
    made = Standin(root, ("pneumonia", "ground glass pattern", "normal", "COVID-19"))
    pattern = [
        ("['pneumonia', ' ground glass pattern']", {"pneumonia": 1.0, "ground glass pattern": 1.0, "COVID-19": 1.0}),
        ("['normal']", {"normal": 1.0, "COVID-19": 0.0}),
    ]
    reports, people, tests = [], [], []
    for n in range(4 * rounds):
        text, truth = pattern[n % 2]
        patient, session = f"sub-S{n:05}", f"ses-E{n:05}"
        reports.append(f"{patient}\t{session}\tx\t{text}\tr")
        people.append(f"{patient}\tDX\t['CHEST']\t['{50 + n}']\t{'FM'[n % 2]}")
        # The nearest test counts, not the one before it.
        near, far = ("POSITIVO", "NEGATIVO") if n % 2 == 0 else ("NEGATIVO", "POSITIVO")
        tests += [f"{patient}\t16.03.2020\tPCR\t{near}", f"{patient}\t01.02.2020\tPCR\t{far}"]
        for part, kept in (("mod-rx", True), ("mod-ct", False)):
            file = f"{patient}/{session}/{part}/{patient}_{session}_vp-{'pa' if n % 2 else 'ap'}_cr.png"
            made.draw(file, [name for name in positive(truth) if name != "normal"] if kept else ())
            tags = {"00080020": {"vr": "DA", "Value": ["20200315"]}}
            (root / file).with_suffix(".json").write_text(json.dumps(tags))
            if kept:
                view = "PA" if n % 2 else "AP"
                made.rows.append(Truth(file, truth, patient, 50.0 + n, "FM"[n % 2], view))
    made.left_out = {"no label": 0, "modality": len(made.rows), "views": 0}
    made.table("derivatives/labels/labels_covid19_posi.tsv", "PatientID\tReportID\tText\tLabels\tOther", reports)
    made.table("participants.tsv", "participant\tmodality_dicom\tbody_parts\tage\tgender", people)
    made.table("derivatives/EHR/sil_reg_covid.tsv", "participant\tfecha\tprueba\tresultado", tests)
    return made


def covid_patient(study: int) -> str:
    """The ID in the headers of a study of SIIM-COVID: of eight patients one has two studies."""
    return f"PATIENT-{study - 4 if study % 8 == 5 else study}"


def siim_covid(root: Path, rounds: int = 1) -> Standin:
    classes = ("Negative for Pneumonia", "Typical Appearance", "Indeterminate Appearance", "Atypical Appearance")
    made = Standin(root, classes)
    studies, images = [], []
    for n in range(4 * rounds):
        study, label = f"{n:012x}", classes[n % 4]
        studies.append(f"{study}_study,{','.join(str(int(name == label)) for name in classes)}")
        for part in range(1 + n % 2):
            name = f"{1000 * part + n:012x}"
            file = f"train/{study}/{'ab'[part]}{n:011x}/{name}.dcm"
            images.append(f"{name}_image,\"[{{'x': 1, 'y': 2}}]\",none 1 0 0 1 1,{study}")
            tags = {"PatientID": covid_patient(n), "PatientAge": "061Y", "PatientSex": "M", "ViewPosition": "AP"}
            made.draw(file, [label] if n % 4 else [], **tags)
            made.rows.append(Truth(file, label, split="train"))
    made.left_out = {"no label": 0, "missing": 0}
    made.table("train_study_level.csv", f"id,{','.join(classes)}", studies)
    made.table("train_image_level.csv", "id,boxes,label,StudyInstanceUID", images)
    return made


def kermany(root: Path, rounds: int = 1) -> Standin:
    made = Standin(root, ("PNEUMONIA",))
    for split, start in (("train", 1), ("test", 1), ("val", 500)):
        for n in range(start, start + 2 * rounds):
            cause = ("bacteria", "virus")[n % 2]
            for label, name, patient in (
                ("PNEUMONIA", f"person{n}_{cause}_{n}.jpeg", f"{split}/person{n}"),
                ("NORMAL", f"IM-{n:04}-0001.jpeg", f"{split}/IM-{n:04}"),
            ):
                file = f"{split}/{label}/{name}"
                made.draw(file, [label] if label == "PNEUMONIA" else [])
                made.rows.append(Truth(file, label, patient, view="AP", split=split))
                # The archive holds all of it a second time.
                copied = root / "chest_xray" / file
                copied.parent.mkdir(parents=True, exist_ok=True)
                copied.write_bytes((root / file).read_bytes())
    (root / "__MACOSX" / "train").mkdir(parents=True)
    (root / "__MACOSX" / "train" / "._IM-0001.jpeg").write_bytes(b"x")
    made.left_out = {"copies": len(made.rows)}
    return made


def shenzhen_montgomery(root: Path, rounds: int = 1) -> Standin:
    made = Standin(root, ("Tuberculosis",))
    for set_, letters, source in (
        ("ChinaSet_AllFiles", "CHNCXR", "Shenzhen"),
        ("MontgomerySet", "MCUCXR", "Montgomery"),
    ):
        for n in range(4 * rounds):
            name, label = f"{letters}_{n:04}_{n % 2}", ("Normal", "Tuberculosis")[n % 2]
            made.draw(f"{set_}/CXR_png/{name}.png", [label] if n % 2 else [])
            text = (
                f"{'Fe' if n % 2 else ''}male {40 + n}yrs\nsecondary PTB"
                if n
                else "Patient's Sex: F\nPatient's Age: 027Y"
            )
            made.table(f"{set_}/ClinicalReadings/{name}.txt", "", [text])
            age, sex = (40.0 + n, "MF"[n % 2]) if n else (27.0, "F")
            made.rows.append(Truth(f"{set_}/CXR_png/{name}.png", label, name, age, sex, "PA", source))
            if source == "Montgomery":
                made.draw(f"{set_}/ManualMask/leftMask/{name}.png")
    made.left_out = {"masks": 4 * rounds}
    return made


def tbx11k(root: Path, rounds: int = 1) -> Standin:
    names = ("Sick, no tuberculosis", "Tuberculosis")
    made = Standin(root, names)
    words = {"health": "Healthy", "sick": names[0], "tb": names[1]}
    for split in ("train", "val"):
        images, boxes = [], []
        for n in range(3 * rounds):
            folder = ("health", "sick", "tb")[n % 3]
            file = f"{folder}/{split[0]}{n:04}.png"
            images.append({"id": n, "file_name": file, "height": 512, "width": 512})
            if folder == "tb":
                boxes.append({"id": n, "image_id": n, "category_id": 1 + n % 2, "bbox": [1, 2, 30, 40]})
            made.draw(f"imgs/{file}", [words[folder]] if folder != "health" else [])
            made.rows.append(Truth(f"imgs/{file}", words[folder], split=split))
        kinds = ("ActiveTuberculosis", "ObsoletePulmonaryTuberculosis", "PulmonaryTuberculosis")
        content = {
            "images": images,
            "annotations": boxes,
            "categories": [{"id": n + 1, "name": kind} for n, kind in enumerate(kinds)],
        }
        made.table(f"annotations/json/TBX11K_{split}.json", "", [json.dumps(content)])
    made.left_out = {"missing": 0}
    return made


def siim_acr(root: Path, rounds: int = 1) -> Standin:
    made = Standin(root, ("Pneumothorax",))
    lines = []
    for n in range(4 * rounds):
        name, sick = f"1.2.276.0.7230010.3.1.4.8323329.{n}.1517875201.{850819 + n}", n % 2
        # Two pneumothoraces of one image are two rows.
        lines += [f"{name},557374 2 1015 8", f"{name},600 3 1000 9"] if sick else [f"{name},-1"]
        file = f"dicom-images-train/{n}/{n}.1/{name}.dcm"
        tags = {"PatientID": f"{n:08x}-a0d2", "PatientAge": "044Y", "PatientSex": "M", "ViewPosition": "AP"}
        made.draw(file, ["Pneumothorax"] if sick else [], **tags)
        made.rows.append(Truth(file, {"Pneumothorax": float(sick)}, split="train"))
    made.left_out = {"missing": 0}
    made.table("train-rle.csv", "ImageId, EncodedPixels", lines)
    return made


MAKERS: dict[str, Callable[..., Standin]] = {
    "NIH ChestX-ray14": nih,
    "NIH radiologists 2019": nih_2019,
    "CheXpert": chexpert,
    "CheXpert Plus": chexpert_plus,
    "MIMIC-CXR-JPG": mimic,
    "PadChest": padchest,
    "VinDr-CXR": vindr,
    "VinBigData": vinbigdata,
    "RSNA Pneumonia 2018": rsna,
    "COVIDx": covidx,
    "covid-chestxray-dataset": covid_chestxray,
    "COVID-19 Radiography Database": radiography,
    "BIMCV-COVID19": bimcv,
    "SIIM-FISABIO-RSNA COVID-19": siim_covid,
    "Kermany": kermany,
    "Shenzhen and Montgomery": shenzhen_montgomery,
    "TBX11K": tbx11k,
    "SIIM-ACR Pneumothorax": siim_acr,
}
